package courier

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/controlplane/internal/alert"
	"github.com/weirhq/weir/controlplane/internal/webhook"
)

// resultNames are what results are called by labels.
var resultNames = map[alert.Result]string{
	alert.Result(webhook.Accepted):    "accepted",
	alert.Result(webhook.Refused):     "refused",
	alert.Result(webhook.Unreachable): "unreachable",
	alert.Result(webhook.TimedOut):    "timed_out",
	alert.Result(webhook.NotAllowed):  "address_not_allowed",
	alert.Result(webhook.TLSFailed):   "tls_failed",
	alert.Unknown:                     "error",
	alert.SecretMissing:               "secret_missing",
	alert.ChannelDeleted:              "channel_deleted",
}

type metrics struct{ attempts *prometheus.CounterVec }

// newMetrics registers nowhere where registry is nil.
func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weir_courier_attempts_total", Help: "Messages sent to webhooks of alert channels, by what came of them.",
	}, []string{"result"})}
	if registry != nil {
		registry.MustRegister(m.attempts)
	}
	return m
}
