-- One row for each thread of a channel: who began it, when somebody else first answered, and how it went on.
-- needs: messages
WITH roots AS (
  SELECT * FROM v_posts WHERE kind = 'channel' AND NOT is_reply
), answers AS (
  SELECT p.thread_key, p.author_id, p.author, p.created_at,
    ROW_NUMBER() OVER (PARTITION BY p.thread_key ORDER BY p.created_at, p.message_id) AS place
  FROM v_posts AS p
  JOIN roots AS r ON r.thread_key = p.thread_key
  WHERE p.is_reply AND COALESCE(p.author_id, '') <> COALESCE(r.author_id, '')
), first_answers AS (
  SELECT thread_key, author_id, author, created_at FROM answers WHERE place = 1
), whole AS (
  SELECT thread_key, COUNT(CASE WHEN is_reply THEN 1 END) AS replies, COUNT(DISTINCT author_id) AS participants,
    MAX(created_at) AS last_post_at
  FROM v_posts WHERE kind = 'channel' GROUP BY thread_key
)
SELECT r.thread_key, r.team_id, r.team, r.channel_id, r.channel, r.thread_id, r.subject, r.text, r.author_id, r.author,
  r.created_at AS started_at, f.created_at AS first_answer_at, f.author_id AS first_answer_by_id,
  f.author AS first_answer_by, SECONDS_BETWEEN(r.created_at, f.created_at) AS first_answer_seconds, w.replies,
  w.participants, w.last_post_at, CASE WHEN f.created_at IS NULL THEN r.created_at END AS unanswered_since, r.link
FROM roots AS r
JOIN whole AS w ON w.thread_key = r.thread_key
LEFT JOIN first_answers AS f ON f.thread_key = r.thread_key
