#!/usr/bin/env bash
# Every morning: read what is new, and raise an alarm where something is not fresh. For cron, a systemd timer or a CI schedule:
#   30 6 * * *  /opt/teams/morning.sh pipeline.yaml /data/lakehouse
# ALARM is a command that takes the text; without it the text goes to stderr, and cron mails it.
set -u
pipeline=$1 target=$2

lakeflow-teams ingest "$pipeline" --target "$target" --quiet
alarms=$(lakeflow-teams status --target "$target" --max-age "${MAX_AGE:-26h}" 2>&1 > /dev/null) && exit 0
${ALARM:-echo} "Teams lakehouse $target: $alarms" >&2
exit 1
