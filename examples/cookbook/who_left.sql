-- Who has left which team, and when?
SELECT team, person, mail, left_at
FROM v_membership_history
WHERE left_at IS NOT NULL
ORDER BY left_at DESC, team, person;
