-- Each thread of a channel as one document for search: its text in Markdown, who took part, and who may read it (empty: nobody is known to).
-- needs: messages
-- optional: v_access
WITH posts AS ({posts}), whole AS (
  SELECT p.thread_key, p.conversation_key, p.team_id, p.channel_id, p.post_key, p.message_id, p.is_reply,
    COALESCE(u.person, p.author, 'somebody') AS author, p.subject, p.text, p.created_at, p.modified_at, p.link,
    p.deleted_at IS NULL AS stands
  FROM posts AS p
  LEFT JOIN src_users AS u ON u.user_id = p.author_id
  WHERE p.kind = 'channel' AND p.message_type = 'message'
), roots AS (
  SELECT thread_key, team_id, channel_id, link, stands,
    COALESCE(NULLIF(TRIM(subject), ''), NULLIF(TRIM(SUBSTRING(COALESCE(text, ''), 1, 80)), ''), 'Thread') AS title
  FROM whole WHERE NOT is_reply
), texts AS (
  SELECT thread_key, JOINED('**' || author || '** (' || UTC_MINUTE(created_at) || ')' || PARAGRAPH() || COALESCE(text, ''),
    created_at, message_id) AS markdown, SORTED_SET(author) AS participants
  FROM whole WHERE stands GROUP BY thread_key
), changes AS (
  SELECT thread_key, MAX(modified_at) AS updated_at FROM whole GROUP BY thread_key
), readers AS (
  SELECT conversation_key, SORTED_SET(CASE WHEN principal_kind = 'user' THEN entra_id END) AS users,
    SORTED_SET(CASE WHEN principal_kind = 'group' THEN entra_id END) AS groups
  FROM v_access GROUP BY conversation_key
)
SELECT r.thread_key, r.link AS url, r.title, r.team_id, t.team, r.channel_id, c.channel,
  CASE WHEN r.stands THEN '# ' || r.title || PARAGRAPH() || x.markdown END AS markdown,
  CASE WHEN r.stands THEN x.participants END AS participants, COALESCE(a.users, NO_TEXTS()) AS reader_ids,
  COALESCE(a.groups, NO_TEXTS()) AS reader_group_ids, w.updated_at, NOT r.stands AS is_deleted
FROM roots AS r
JOIN changes AS w ON w.thread_key = r.thread_key
LEFT JOIN texts AS x ON x.thread_key = r.thread_key
LEFT JOIN readers AS a ON a.conversation_key = r.channel_id
LEFT JOIN src_teams AS t ON t.team_id = r.team_id
LEFT JOIN src_channels AS c ON c.team_id = r.team_id AND c.channel_id = r.channel_id
