DROP TABLE alert_attempt;
DROP TABLE alert_delivery;
DROP TABLE alert;
