-- Which threads wait for an answer, the longest first?
SELECT team, channel, author, text, unanswered_since, link
FROM v_threads
WHERE unanswered_since IS NOT NULL
ORDER BY unanswered_since;
