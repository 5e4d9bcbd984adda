#!/usr/bin/env bash
# The Unity Catalog connection of connection.sql as a call of the Databricks CLI, made by `lakeflow-teams databricks`.
# Takes AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET from the environment; none of them is on a command line.
set -euo pipefail
: "${AZURE_TENANT_ID:?}" "${AZURE_CLIENT_ID:?}" "${AZURE_CLIENT_SECRET:?}"
databricks connections create --json @/dev/stdin <<JSON
{
  "name": "microsoft_teams",
  "connection_type": "GENERIC_LAKEFLOW_CONNECT",
  "options": {
    "sourceName": "microsoft_teams",
    "tenant_id": "$AZURE_TENANT_ID",
    "client_id": "$AZURE_CLIENT_ID",
    "client_secret": "$AZURE_CLIENT_SECRET",
    "externalOptionsAllowList": "tableName,tableNameList,tableConfigs,isDeleteFlow,operation,path,name,search,metadataKey,catalogName,schemaName,team_id,channel_id,message_id,user_id,chat_id,group_id,exclude_team_id,exclude_channel_id,fetch_all_groups,fetch_all_teams,fetch_all_channels,fetch_all_messages,fetch_all_users,top,max_pages_per_batch,max_records_per_batch,start_date,lookback_seconds,use_delta_api,max_concurrent_threads,strategy,include_raw,body_text,timestamps,transcript_text,hosted_contents_max_bytes,on_forbidden,min_poll_seconds,resweep_days,windows_per_batch,num_partitions,tasks_at_once,chat_types,report_period,chat_sender_filter"
  }
}
JSON
