-- Who and what posts mention now, one row for each mention.
-- needs: messages or chat_messages
WITH mentions AS (
  SELECT m.channel_id || '/' || m.message_id || '/' || m.message_id AS post_key, r."mentionText" AS mention,
    r."mentioned"."user"."id" AS user_id, r."mentioned"."application"."id" AS application_id,
    r."mentioned"."conversation"."id" AS place_id, r."mentioned"."tag"."id" AS tag_id
  FROM src_messages AS m CROSS JOIN UNNEST(m.mentions) AS t(r) WHERE r."id" IS NOT NULL
  UNION ALL
  SELECT m.channel_id || '/' || m.root_id || '/' || m.message_id AS post_key, r."mentionText" AS mention,
    r."mentioned"."user"."id" AS user_id, r."mentioned"."application"."id" AS application_id,
    r."mentioned"."conversation"."id" AS place_id, r."mentioned"."tag"."id" AS tag_id
  FROM src_message_replies AS m CROSS JOIN UNNEST(m.mentions) AS t(r) WHERE r."id" IS NOT NULL
  UNION ALL
  SELECT m.chat_id || '/' || m.message_id AS post_key, r."mentionText" AS mention,
    r."mentioned"."user"."id" AS user_id, r."mentioned"."application"."id" AS application_id,
    r."mentioned"."conversation"."id" AS place_id, r."mentioned"."tag"."id" AS tag_id
  FROM src_chat_messages AS m CROSS JOIN UNNEST(m.mentions) AS t(r) WHERE r."id" IS NOT NULL
)
SELECT p.kind, p.post_key, p.thread_key, p.conversation_key, p.team_id, p.team, p.channel_id, p.channel, p.chat_id, p.chat,
  CASE WHEN x.user_id IS NOT NULL THEN 'user' WHEN x.application_id IS NOT NULL THEN 'application'
    WHEN x.tag_id IS NOT NULL THEN 'tag' WHEN x.place_id IS NOT NULL THEN 'conversation' END AS mentioned_kind,
  COALESCE(x.user_id, x.application_id, x.tag_id, x.place_id) AS mentioned_id, COALESCE(u.person, x.mention) AS mentioned,
  x.mention, p.author_id, p.author, p.created_at AS posted_at, p.link
FROM mentions AS x
JOIN v_posts AS p ON p.post_key = x.post_key
LEFT JOIN src_users AS u ON u.user_id = x.user_id
