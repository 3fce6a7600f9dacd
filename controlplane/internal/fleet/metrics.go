package fleet

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	witnessed *prometheus.CounterVec
}

// newMetrics registers nowhere where registry is nil.
func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		witnessed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_fleet_presented_releases_total",
			Help: "Releases that agents serve and this process did not know, by what they are: known, over, refused, lost. Lost is an alarm: Postgres is older than what agents serve.",
		}, []string{"result"}),
	}
	if registry != nil {
		registry.MustRegister(m.witnessed)
	}
	return m
}
