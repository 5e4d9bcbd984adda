-- Which posts have the most reactions?
SELECT r.author, p.text, p.link, COUNT(*) AS reactions
FROM v_reactions AS r
JOIN v_posts AS p ON p.post_key = r.post_key
GROUP BY r.post_key, r.author, p.text, p.link
ORDER BY reactions DESC, r.post_key
LIMIT 10;
