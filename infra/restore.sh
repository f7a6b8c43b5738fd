#!/usr/bin/env bash
# Restores the table of a stack to a point in time, as a new table with all settings of the old one, and
# prints the parameters with which the stack uses it. docs/operations.md explains what to do then.
#
#   infra/restore.sh edge-crm 2026-11-20T09:00:00Z
#   infra/restore.sh --continue edge-crm-restored-20261128-121500   # after it has given up waiting
set -euo pipefail

# `aws dynamodb wait` gives up after 500 s. Most restores take less than an hour; this is more than four.
readonly WAITS=30

usage() {
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# Waits until the table can be used.
wait_for_table() {
  local attempt
  for ((attempt = 1; attempt <= WAITS; attempt++)); do
    if aws dynamodb wait table-exists --table-name "$table" 2>"$errors"; then return; fi
    echo "Still waiting for $table ($attempt of $WAITS): $(tail -n 1 "$errors")" >&2
  done
  cat >&2 <<END
Gave up: the table $table is not active. See how far it is:
  aws dynamodb describe-table --table-name $table --query Table.TableStatus
When it is ACTIVE, continue:
  $0 --continue $table
END
  exit 1
}

# Prints one value of the table's description.
described() {
  aws dynamodb describe-table --table-name "$table" --output text --query "Table.$1"
}

# A restore copies the data but not the settings. Each is made only if it is missing, so that this can be
# repeated.
restore_settings() {
  local ttl
  ttl=$(aws dynamodb describe-time-to-live --table-name "$table" --output text \
    --query TimeToLiveDescription.TimeToLiveStatus)
  case $ttl in
    ENABLED | ENABLING) ;;
    *)
      aws dynamodb update-time-to-live --table-name "$table" \
        --time-to-live-specification Enabled=true,AttributeName=expires_at >/dev/null
      ;;
  esac
  aws dynamodb update-continuous-backups --table-name "$table" \
    --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true >/dev/null
  if [ "$(described StreamSpecification.StreamEnabled)" != True ]; then
    aws dynamodb update-table --table-name "$table" \
      --stream-specification StreamEnabled=true,StreamViewType=KEYS_ONLY >/dev/null
    wait_for_table
  fi
  aws dynamodb update-table --table-name "$table" --deletion-protection-enabled >/dev/null
  wait_for_table
}

[ $# = 2 ] || usage
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
if [ "$1" = --continue ]; then
  table=$2
else
  source=$(aws cloudformation describe-stacks --stack-name "$1" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='TableName'].OutputValue")
  table=$1-restored-$(date -u +%Y%m%d-%H%M%S)
  aws dynamodb restore-table-to-point-in-time --source-table-name "$source" \
    --target-table-name "$table" --restore-date-time "$2" >/dev/null
fi
wait_for_table
restore_settings
cat <<END
ExistingTableName=\\"$table\\" ExistingTableStreamArn=\\"$(described LatestStreamArn)\\"
END
