package proxy

import (
	"net/http/httptrace"

	"github.com/prometheus/client_golang/prometheus"
)

// connections counts those that attempts are made over.
type connections struct {
	used  *prometheus.CounterVec
	trace *httptrace.ClientTrace // one for all requests
}

func newConnections() connections {
	used := counters("weir_agent_upstream_connections_total",
		"Attempts that got a connection to their upstream, by how: a new one, or one that was open.", "kind")
	fresh, reused := used.WithLabelValues("new"), used.WithLabelValues("reused")
	return connections{used: used, trace: &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		if got.Reused {
			reused.Inc()
		} else {
			fresh.Inc()
		}
	}}}
}
