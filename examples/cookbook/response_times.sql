-- How soon does somebody answer, by channel?
SELECT team, channel, COUNT(*) AS threads, COUNT(first_answer_at) AS answered,
  MEDIAN(first_answer_seconds) / 3600 AS median_hours
FROM v_threads
GROUP BY team_id, team, channel_id, channel
ORDER BY median_hours, team, channel;
