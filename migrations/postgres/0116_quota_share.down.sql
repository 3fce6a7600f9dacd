DROP TABLE quota_share;
