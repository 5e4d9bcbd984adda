-- The reactions that posts have now, one row for each, with who gave it and whose post it is.
-- needs: messages or chat_messages
WITH reactions AS (
  SELECT m.channel_id || '/' || m.message_id || '/' || m.message_id AS post_key, r."reactionType" AS reaction,
    KNOWN_TIME(r."createdDateTime") AS reacted_at, r."user"."user"."id" AS user_id, r."user"."user"."displayName" AS person
  FROM src_messages AS m CROSS JOIN UNNEST(m.reactions) AS t(r) WHERE r."reactionType" IS NOT NULL
  UNION ALL
  SELECT m.channel_id || '/' || m.root_id || '/' || m.message_id AS post_key, r."reactionType" AS reaction,
    KNOWN_TIME(r."createdDateTime") AS reacted_at, r."user"."user"."id" AS user_id, r."user"."user"."displayName" AS person
  FROM src_message_replies AS m CROSS JOIN UNNEST(m.reactions) AS t(r) WHERE r."reactionType" IS NOT NULL
  UNION ALL
  SELECT m.chat_id || '/' || m.message_id AS post_key, r."reactionType" AS reaction,
    KNOWN_TIME(r."createdDateTime") AS reacted_at, r."user"."user"."id" AS user_id, r."user"."user"."displayName" AS person
  FROM src_chat_messages AS m CROSS JOIN UNNEST(m.reactions) AS t(r) WHERE r."reactionType" IS NOT NULL
)
SELECT p.kind, p.post_key, p.thread_key, p.conversation_key, p.team_id, p.team, p.channel_id, p.channel, p.chat_id, p.chat,
  x.reaction, x.reacted_at, x.user_id, COALESCE(u.person, x.person) AS person, p.author_id, p.author,
  p.created_at AS posted_at, p.link
FROM reactions AS x
JOIN v_posts AS p ON p.post_key = x.post_key
LEFT JOIN src_users AS u ON u.user_id = x.user_id
