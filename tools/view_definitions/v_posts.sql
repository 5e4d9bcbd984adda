-- What people and apps have written: roots and replies of channels, and messages of chats. Deleted posts and system messages are left out.
-- needs: messages or chat_messages
WITH posts AS ({posts})
SELECT p.kind, p.post_key, p.thread_key, p.conversation_key, p.team_id, t.team, p.channel_id, c.channel, p.chat_id, h.chat,
  p.thread_id, p.message_id, p.is_reply, p.author_id, COALESCE(u.person, p.author) AS author, p.author_kind, p.subject,
  p.text, p.importance, p.created_at, p.edited_at, p.modified_at, p.link
FROM posts AS p
LEFT JOIN src_teams AS t ON t.team_id = p.team_id
LEFT JOIN src_channels AS c ON c.team_id = p.team_id AND c.channel_id = p.channel_id
LEFT JOIN src_chats AS h ON h.chat_id = p.chat_id
LEFT JOIN src_users AS u ON u.user_id = p.author_id
WHERE p.message_type = 'message' AND p.deleted_at IS NULL
