-- Who may see which channel or chat, by Entra ID object id. What is not known to be visible is not there: a private channel without its members has no row.
-- needs: channels and members, or channels and channel_members, or channels and shared_channel_members, or chat_members
WITH seen AS (
  SELECT 'channel' AS kind, c.channel_id AS conversation_key, c.team_id, c.channel_id, CAST(NULL AS VARCHAR) AS chat_id,
    'user' AS principal_kind, m.user_id AS entra_id, m.tenant_id, m.person, 'team' AS via, m.sees_from
  FROM src_channels AS c JOIN src_members AS m ON m.team_id = c.team_id WHERE c.membership = 'standard'
  UNION ALL
  SELECT 'channel' AS kind, c.channel_id AS conversation_key, c.team_id, c.channel_id, CAST(NULL AS VARCHAR) AS chat_id,
    'group' AS principal_kind, c.team_id AS entra_id, CAST(NULL AS VARCHAR) AS tenant_id, t.team AS person, 'team' AS via,
    CAST(NULL AS TIMESTAMPTZ) AS sees_from
  FROM src_channels AS c LEFT JOIN src_teams AS t ON t.team_id = c.team_id WHERE c.membership = 'standard'
  UNION ALL
  SELECT 'channel' AS kind, c.channel_id AS conversation_key, c.team_id, c.channel_id, CAST(NULL AS VARCHAR) AS chat_id,
    'user' AS principal_kind, m.user_id AS entra_id, m.tenant_id, m.person, 'channel' AS via, m.sees_from
  FROM src_channels AS c JOIN src_channel_members AS m ON m.team_id = c.team_id AND m.channel_id = c.channel_id
  WHERE c.membership IN ('private', 'shared')
  UNION ALL
  SELECT 'channel' AS kind, c.channel_id AS conversation_key, c.team_id, c.channel_id, CAST(NULL AS VARCHAR) AS chat_id,
    'user' AS principal_kind, m.user_id AS entra_id, m.tenant_id, m.person, 'shared' AS via, m.sees_from
  FROM src_channels AS c JOIN src_shared_channel_members AS m ON m.team_id = c.team_id AND m.channel_id = c.channel_id
  WHERE c.membership = 'shared'
  UNION ALL
  SELECT 'chat' AS kind, m.chat_id AS conversation_key, CAST(NULL AS VARCHAR) AS team_id,
    CAST(NULL AS VARCHAR) AS channel_id, m.chat_id, 'user' AS principal_kind, m.user_id AS entra_id, m.tenant_id, m.person,
    'chat' AS via, m.sees_from
  FROM src_chat_members AS m
)
SELECT kind, conversation_key, team_id, channel_id, chat_id, principal_kind, entra_id, MAX(tenant_id) AS tenant_id,
  MAX(person) AS person, MIN(via) AS via, MIN(sees_from) AS sees_from
FROM seen
WHERE entra_id IS NOT NULL AND entra_id <> ''
GROUP BY kind, conversation_key, team_id, channel_id, chat_id, principal_kind, entra_id
