// Package outage holds the tests that take away what agents follow: control plane and
// Postgres are down, for a week by the agents' own reckoning, or come back as they were
// before. The real binaries serve the real requests meanwhile.
package outage
