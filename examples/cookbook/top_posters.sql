-- Who writes most?
SELECT author, COUNT(*) AS posts
FROM v_posts
GROUP BY author_id, author
ORDER BY posts DESC, author
LIMIT 10;
