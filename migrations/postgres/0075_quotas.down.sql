DROP TABLE quota_limit, budget;
