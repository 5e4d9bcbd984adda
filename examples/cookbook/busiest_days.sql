-- On which days was most written?
SELECT day, SUM(posts) AS posts, COUNT(*) AS places
FROM v_activity_daily
GROUP BY day
ORDER BY posts DESC, day
LIMIT 10;
