package clickhouse

// Render is for tests that have a server.
func Render(cluster, migration string) (string, error) { return Cluster(cluster).render(migration) }
