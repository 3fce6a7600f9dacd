// Package rolling holds the test that restarts agents one after the other behind a load
// balancer: real binaries, long connections, streams under way. No request may fail.
package rolling
