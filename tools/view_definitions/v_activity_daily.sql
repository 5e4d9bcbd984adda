-- Posts, replies and people of each day (UTC) and channel or chat.
-- needs: messages or chat_messages
SELECT UTC_DAY(created_at) AS day, kind, conversation_key, team_id, team, channel_id, channel, chat_id, chat,
  COUNT(*) AS posts, COUNT(CASE WHEN is_reply THEN 1 END) AS replies, COUNT(DISTINCT author_id) AS people
FROM v_posts
GROUP BY UTC_DAY(created_at), kind, conversation_key, team_id, team, channel_id, channel, chat_id, chat
