DROP TABLE alert_channel;
DROP TABLE saved_report;
DROP TABLE price_override;
