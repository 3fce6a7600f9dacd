DROP VIEW latency_hourly;
DROP VIEW spend_daily;
DROP VIEW attempts;
DROP VIEW requests
