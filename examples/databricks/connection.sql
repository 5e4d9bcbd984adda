-- The Unity Catalog connection, made by `lakeflow-teams databricks`. The secret lies in a secret scope and never in this file:
--   databricks secrets create-scope microsoft_teams
--   databricks secrets put-secret microsoft_teams client_secret
CREATE CONNECTION IF NOT EXISTS microsoft_teams
TYPE GENERIC_LAKEFLOW_CONNECT
OPTIONS (
  sourceName 'microsoft_teams',
  tenant_id '00000000-0000-0000-0000-000000000000',
  client_id '00000000-0000-0000-0000-000000000000',
  client_secret secret('microsoft_teams', 'client_secret'),
  -- What is not in this list never reaches the connector, without an error.
  externalOptionsAllowList 'tableName,tableNameList,tableConfigs,isDeleteFlow,operation,path,name,search,metadataKey,catalogName,schemaName,team_id,channel_id,message_id,user_id,chat_id,group_id,exclude_team_id,exclude_channel_id,fetch_all_groups,fetch_all_teams,fetch_all_channels,fetch_all_messages,fetch_all_users,top,max_pages_per_batch,max_records_per_batch,start_date,lookback_seconds,use_delta_api,max_concurrent_threads,strategy,include_raw,body_text,timestamps,transcript_text,hosted_contents_max_bytes,on_forbidden,min_poll_seconds,resweep_days,windows_per_batch,num_partitions,tasks_at_once,chat_types,report_period,chat_sender_filter'
);
