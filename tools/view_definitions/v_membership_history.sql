-- Who was in which team, in which role and when. Where somebody has left, the last row says so in left_at.
-- needs: members_history
WITH stretches AS (
  SELECT team_id, user_id, person, mail, valid_from, valid_to,
    CASE WHEN ARRAY_CONTAINS(roles, 'owner') THEN 'owner' WHEN ARRAY_CONTAINS(roles, 'guest') THEN 'guest' ELSE 'member' END
      AS role,
    LEAD(valid_from) OVER (PARTITION BY team_id, user_id ORDER BY valid_from) AS next_from
  FROM src_members_history
)
SELECT s.team_id, t.team, s.user_id, COALESCE(u.person, s.person) AS person, COALESCE(u.mail, s.mail) AS mail, s.role,
  s.valid_from, s.valid_to, s.valid_to IS NULL AS is_current,
  CASE WHEN s.next_from IS NULL OR s.next_from > s.valid_to THEN s.valid_to END AS left_at
FROM stretches AS s
LEFT JOIN src_teams AS t ON t.team_id = s.team_id
LEFT JOIN src_users AS u ON u.user_id = s.user_id
