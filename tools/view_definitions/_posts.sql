SELECT 'channel' AS kind, m.channel_id || '/' || m.message_id || '/' || m.message_id AS post_key,
  m.channel_id || '/' || m.message_id AS thread_key, m.channel_id AS conversation_key, m.team_id, m.channel_id,
  CAST(NULL AS VARCHAR) AS chat_id, m.message_id AS thread_id, m.message_id, FALSE AS is_reply, m.message_type, m.author_id,
  m.author, m.author_kind, m.subject, m.text, m.importance, m.created_at, m.edited_at, m.modified_at, m.deleted_at, m.link
FROM src_messages AS m
UNION ALL
SELECT 'channel' AS kind, r.channel_id || '/' || r.root_id || '/' || r.message_id AS post_key,
  r.channel_id || '/' || r.root_id AS thread_key, r.channel_id AS conversation_key, r.team_id, r.channel_id,
  CAST(NULL AS VARCHAR) AS chat_id, r.root_id AS thread_id, r.message_id, TRUE AS is_reply, r.message_type, r.author_id,
  r.author, r.author_kind, r.subject, r.text, r.importance, r.created_at, r.edited_at, r.modified_at, r.deleted_at, r.link
FROM src_message_replies AS r
UNION ALL
SELECT 'chat' AS kind, c.chat_id || '/' || c.message_id AS post_key,
  c.chat_id AS thread_key, c.chat_id AS conversation_key, CAST(NULL AS VARCHAR) AS team_id, CAST(NULL AS VARCHAR) AS channel_id,
  c.chat_id, CAST(NULL AS VARCHAR) AS thread_id, c.message_id, FALSE AS is_reply, c.message_type, c.author_id,
  c.author, c.author_kind, c.subject, c.text, c.importance, c.created_at, c.edited_at, c.modified_at, c.deleted_at, c.link
FROM src_chat_messages AS c
