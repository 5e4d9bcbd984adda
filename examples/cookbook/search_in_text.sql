-- Where was it said?
SELECT team, channel, author, created_at, text, link
FROM v_posts
WHERE LOWER(text) LIKE '%plan%'
ORDER BY created_at DESC, post_key;
