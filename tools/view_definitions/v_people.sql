-- Everybody who is known: the directory's users, and members and authors that it does not have, such as people of other tenants.
-- needs: users or members or messages or chat_messages
WITH others AS (
  SELECT user_id, person, mail FROM src_members
  UNION ALL SELECT user_id, person, mail FROM src_channel_members
  UNION ALL SELECT user_id, person, mail FROM src_shared_channel_members
  UNION ALL SELECT user_id, person, mail FROM src_chat_members
  UNION ALL SELECT author_id, author, CAST(NULL AS VARCHAR) AS mail FROM src_messages WHERE author_kind = 'user'
  UNION ALL SELECT author_id, author, CAST(NULL AS VARCHAR) AS mail FROM src_message_replies WHERE author_kind = 'user'
  UNION ALL SELECT author_id, author, CAST(NULL AS VARCHAR) AS mail FROM src_chat_messages WHERE author_kind = 'user'
), missing AS (
  SELECT o.user_id, MAX(o.person) AS person, MAX(o.mail) AS mail
  FROM others AS o
  LEFT JOIN src_users AS u ON u.user_id = o.user_id
  WHERE o.user_id IS NOT NULL AND u.user_id IS NULL
  GROUP BY o.user_id
)
SELECT user_id, person, mail, user_principal_name, job_title, department, user_type = 'Guest' AS is_guest, is_enabled,
  TRUE AS is_in_directory
FROM src_users
UNION ALL
SELECT user_id, person, mail, CAST(NULL AS VARCHAR) AS user_principal_name, CAST(NULL AS VARCHAR) AS job_title,
  CAST(NULL AS VARCHAR) AS department, CAST(NULL AS BOOLEAN) AS is_guest, CAST(NULL AS BOOLEAN) AS is_enabled,
  FALSE AS is_in_directory
FROM missing
