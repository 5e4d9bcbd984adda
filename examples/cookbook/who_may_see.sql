-- Who may see the channels that are not open to their whole team?
SELECT c.team, c.channel, a.person, a.entra_id
FROM v_access AS a
JOIN (SELECT DISTINCT conversation_key, team, channel FROM v_posts) AS c ON c.conversation_key = a.conversation_key
WHERE a.kind = 'channel' AND a.principal_kind = 'user' AND a.via <> 'team'
ORDER BY c.team, c.channel, a.person;
