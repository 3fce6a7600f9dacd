package check

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	agentLeast = "controlUrl: https://weir.example.com\nkafka: {brokers: ['k1:9092', 'k2:9092']}\n"
	agentMost  = `
controlUrl: https://weir.example.com
region: eu
replicas: 3
image: {digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}
imagePullSecrets: [registry, other]
usage: {via: relay, relayUrl: 'https://relay.eu.example.com'}
kafka: {brokers: ['k1:9093'], shared: true, tls: true, sasl: {mechanism: SCRAM-SHA-512, username: agent, secretName: kafka}}
credentials: {secretName: providers}
gatewayKey: {secretName: gateway}
allowUpstreams: ['https://api.openai.com=file:///etc/weir/secrets/,sealed', default]
storage: {size: 20Gi, className: fast}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
networkPolicy: {enabled: true, applications: [{podSelector: {matchLabels: {app: shop}}}], monitoring: [{namespaceSelector: {}}]}
endpointsSeconds: 20
drainSeconds: 300
deliverySeconds: 60
log: {level: warn, requests: failed}
otlpEndpoint: http://collector:4318
podLabels: {team: ai}
podAnnotations: {note: x}
serviceAccount: {annotations: {note: x}}
service: {annotations: {note: x}}
nodeSelector: {disk: ssd}
tolerations: [{key: ai, operator: Exists}]
affinity: {podAntiAffinity: {}}
priorityClassName: high
`
)

func TestAgentChart(t *testing.T) {
	for name, values := range map[string]string{"least": agentLeast, "most": agentMost} {
		t.Run(name, func(t *testing.T) {
			m := rendered(t, "weir-agent", values)
			if len(m.statefulSets) != 1 || len(m.budgets) != 1 || len(m.serviceAccounts) != 1 {
				t.Fatalf("want a StatefulSet, a PodDisruptionBudget and a ServiceAccount: %+v", m)
			}
			set := m.statefulSets[0]
			pod := set.Spec.Template.Spec
			hardened(t, pod)
			consistent(t, pod, set.Spec.VolumeClaimTemplates[0].Name)
			variables := environment(t, pod.Containers[0])
			onlyKnown(t, "weir-agent", slices.Collect(maps.Keys(variables)))
			for key, value := range set.Spec.Selector.MatchLabels {
				if set.Spec.Template.Labels[key] != value || m.budgets[0].Spec.Selector.MatchLabels[key] != value {
					t.Errorf("label %s does not select the pods", key)
				}
			}
			needs := agentEnds(t)
			for _, name := range []string{"WEIR_DRAIN_DELAY", "WEIR_DRAIN_TIMEOUT", "WEIR_DELIVERY_TIMEOUT"} {
				part, err := time.ParseDuration(variables[name])
				if err != nil {
					t.Error(err)
				}
				needs += int64(part.Seconds())
			}
			if grace := *pod.TerminationGracePeriodSeconds; grace <= needs {
				t.Errorf("a pod has %d s to end and needs %d", grace, needs)
			}
			if !slices.ContainsFunc(pod.Containers[0].VolumeMounts, mountsAt("state", variables["WEIR_STATE_DIR"])) {
				t.Errorf("the state folder %s is not on the volume", variables["WEIR_STATE_DIR"])
			}
			if m.services[1].Name != set.Spec.ServiceName || m.services[1].Spec.ClusterIP != "None" {
				t.Errorf("service %s is not the one of the StatefulSet", m.services[1].Name)
			}
		})
	}
}

func TestAgentChartValues(t *testing.T) {
	m := rendered(t, "weir-agent", agentMost)
	pod := m.statefulSets[0].Spec.Template.Spec
	variables := environment(t, pod.Containers[0])
	for name, want := range map[string]string{
		"WEIR_KAFKA_BROKERS":        "k1:9093",
		"WEIR_KAFKA_TLS":            "true",
		"WEIR_KAFKA_SHARED":         "true",
		"WEIR_USAGE_VIA":            "relay",
		"WEIR_RELAY_URL":            "https://relay.eu.example.com",
		"WEIR_REGION":               "eu",
		"WEIR_KAFKA_PASSWORD_FILE":  "/run/weir/kafka/password",
		"WEIR_ENROLMENT_TOKEN_FILE": "/run/weir/enrolment/token",
		"WEIR_GATEWAY_KEY_FILE":     "/run/weir/gateway-key/gateway.key",
		"WEIR_ALLOW_UPSTREAMS":      "https://api.openai.com=file:///etc/weir/secrets/,sealed;default",
		"WEIR_SPOOL_MAX_BYTES":      "5368709120",
		"WEIR_DRAIN_DELAY":          "20s",
		"WEIR_DRAIN_TIMEOUT":        "300s",
		"WEIR_DELIVERY_TIMEOUT":     "60s",
		"WEIR_LOG_LEVEL":            "warn",
		"WEIR_ACCESS_LOG":           "failed",
		"WEIR_OTLP_ENDPOINT":        "http://collector:4318",
	} {
		if variables[name] != want {
			t.Errorf("%s is %q, want %q", name, variables[name], want)
		}
	}
	for volume, at := range map[string]string{"credentials": "/etc/weir/secrets", "gateway-key": "/run/weir/gateway-key", "kafka": "/run/weir/kafka"} {
		if !slices.ContainsFunc(pod.Containers[0].VolumeMounts, mountsAt(volume, at)) {
			t.Errorf("%s is not at %s", volume, at)
		}
	}
	if image := pod.Containers[0].Image; !strings.Contains(image, "@sha256:aaaa") {
		t.Errorf("image %s is not the digest", image)
	}
	if len(pod.ImagePullSecrets) != 2 || len(m.serviceMonitors) != 1 || len(m.networkPolicies) != 1 {
		t.Fatalf("pull secrets %v, monitors %v, policies %v", pod.ImagePullSecrets, m.serviceMonitors, m.networkPolicies)
	}
	if ingress := m.networkPolicies[0].Spec.Ingress; len(ingress) != 2 || len(ingress[0].From) != 1 || ingress[1].Ports[0].Port.StrVal != "admin" {
		t.Errorf("network policy lets in %+v", ingress)
	}
	byRelay := environment(t, rendered(t, "weir-agent", "controlUrl: https://weir.example.com\n").statefulSets[0].Spec.Template.Spec.Containers[0])
	for name := range byRelay {
		if strings.HasPrefix(name, "WEIR_KAFKA") || name == "WEIR_USAGE_VIA" {
			t.Errorf("an agent with nothing but a control plane has %s", name)
		}
	}
	enrolled := rendered(t, "weir-agent", agentLeast+"enrolment: {secretName: ''}\n").statefulSets[0].Spec.Template.Spec
	if len(enrolled.Volumes) != 0 || environment(t, enrolled.Containers[0])["WEIR_ENROLMENT_TOKEN_FILE"] != "" {
		t.Errorf("an agent without an enrolment Secret has volumes %v", enrolled.Volumes)
	}
}

func TestAgentChartRefuses(t *testing.T) {
	for name, test := range map[string]struct{ values, says string }{
		"no_control_url":    {"kafka: {brokers: ['k:9092']}", "controlUrl"},
		"a_path_in_the_url": {agentLeast + "controlUrl: https://weir.example.com/api", "controlUrl"},
		"kafka_no_brokers":  {"controlUrl: https://weir.example.com\nusage: {via: kafka}", "kafka.brokers"},
		"a_typo":            {agentLeast + "replica: 3", "replica"},
		"a_small_spool":     {agentLeast + "spool: {maxBytes: 1024}", "maxBytes"},
		"login_no_password": {"controlUrl: https://w\nkafka: {brokers: ['k:9092'], sasl: {mechanism: PLAIN}}", "kafka.sasl.secretName"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := render(t, loadChart(t, "weir-agent"), test.values)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want it to name %s", err, test.says)
			}
		})
	}
}
