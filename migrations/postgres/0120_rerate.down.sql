DROP TABLE rerate_run;
DROP TABLE rerate;
