-- The files that posts have now, one row for each.
-- needs: messages or chat_messages
WITH files AS (
  SELECT m.channel_id || '/' || m.message_id || '/' || m.message_id AS post_key, r."contentType" AS content_type,
    r."id" AS file_id, r."name" AS file, r."contentUrl" AS file_link
  FROM src_messages AS m CROSS JOIN UNNEST(m.attachments) AS t(r)
  UNION ALL
  SELECT m.channel_id || '/' || m.root_id || '/' || m.message_id AS post_key, r."contentType" AS content_type,
    r."id" AS file_id, r."name" AS file, r."contentUrl" AS file_link
  FROM src_message_replies AS m CROSS JOIN UNNEST(m.attachments) AS t(r)
  UNION ALL
  SELECT m.chat_id || '/' || m.message_id AS post_key, r."contentType" AS content_type,
    r."id" AS file_id, r."name" AS file, r."contentUrl" AS file_link
  FROM src_chat_messages AS m CROSS JOIN UNNEST(m.attachments) AS t(r)
)
SELECT p.kind, p.post_key, p.thread_key, p.conversation_key, p.team_id, p.team, p.channel_id, p.channel, p.chat_id, p.chat,
  x.file_id, x.file, x.file_link, p.author_id, p.author, p.created_at AS posted_at, p.link
FROM files AS x
JOIN v_posts AS p ON p.post_key = x.post_key
WHERE x.content_type = 'reference'
