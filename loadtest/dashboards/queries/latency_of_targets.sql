SELECT provider, model, count() AS requests, quantileDDIf(0.01, 0.5)(duration_us, served), quantileDDIf(0.01, 0.95)(duration_us, served),
  quantileDDIf(0.01, 0.95)(first_token_us, has_first_token), quantileDDIf(0.01, 0.5)(inter_token_us, has_inter_token), quantileDDIf(0.01, 0.95)(overhead_us, served)
FROM requests WHERE day >= toDate({from:DateTime64(6, 'UTC')}) AND day < toDate({to:DateTime64(6, 'UTC')}) + 1 GROUP BY provider, model ORDER BY requests DESC
