DROP TABLE usage_event ON CLUSTER 'weir'
