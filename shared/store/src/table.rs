//! The table itself, for the local stack and tests. On AWS the SAM template creates it.

use crate::error::{classify, is_bug};
use crate::{Store, StoreError};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TimeToLiveSpecification,
};

impl Store {
    /// Creates the table as in the template, unless it exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create_table_if_missing(&self) -> Result<(), StoreError> {
        let bug = |e: aws_sdk_dynamodb::error::BuildError| StoreError::Bug(e.to_string());
        let mut request = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest);
        for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
            let attribute = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .map_err(bug)?;
            let element = KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
                .map_err(bug)?;
            request = request.attribute_definitions(attribute).key_schema(element);
        }
        match request.send().await {
            Ok(_) => self.expire_items().await,
            Err(e)
                if e.as_service_error()
                    .is_some_and(|e| e.is_resource_in_use_exception()) =>
            {
                Ok(())
            }
            Err(e) => Err(classify(e, |e| is_bug(e.code()))),
        }
    }

    async fn expire_items(&self) -> Result<(), StoreError> {
        let specification = TimeToLiveSpecification::builder()
            .enabled(true)
            .attribute_name("expires_at")
            .build()
            .map_err(|e| StoreError::Bug(e.to_string()))?;
        self.client
            .update_time_to_live()
            .table_name(&self.table)
            .time_to_live_specification(specification)
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, |e| is_bug(e.code())))
    }
}
