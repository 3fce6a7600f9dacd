// Package killed holds the tests that kill -9 a control plane and its Postgres while
// they write: the real binary, on a real server that flushes to disk.
package killed
