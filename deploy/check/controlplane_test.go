package check

import (
	"maps"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

const (
	controlPlaneLeast = `
url: https://weir.example.com
oidc: {issuer: "https://login.example.com/realm", clientId: weir}
kafka: {brokers: ['kafka:9092']}
`
	controlPlaneApart = `
url: https://weir.example.com
oidc: {issuer: "https://login.example.com/realm", clientId: weir}
processes:
  - {name: api, roles: [api], replicas: 3, resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}}
  - {name: fleet, roles: [fleet], replicas: 2, resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}}
  - {name: ingest, roles: [ingest], replicas: 1, resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}}
  - {name: relay, roles: [relay], replicas: 2, resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}}
region: eu
relayUrl: https://relay.eu.example.com
kafka: {brokers: ['kafka:9092'], tls: true, ca: {secretName: brokers}, sasl: {mechanism: SCRAM-SHA-512, username: weir}}
settings: {WEIR_CALL_TIMEOUT: 20s, WEIR_PRINCIPAL_RATE: 50}
trustedProxies: [10.0.0.0/8, fd00::/8]
ingress: {enabled: true, className: nginx, host: weir.example.com, tlsSecretName: tls, annotations: {note: x}}
serviceMonitor: {enabled: true}
networkPolicy: {enabled: true, monitoring: [{namespaceSelector: {}}]}
`
)

func TestControlPlaneChart(t *testing.T) {
	for name, values := range map[string]string{"least": controlPlaneLeast, "apart": controlPlaneApart} {
		t.Run(name, func(t *testing.T) {
			m := rendered(t, "weir-controlplane", values)
			if len(m.deployments) != len(m.budgets) {
				t.Fatalf("%d deployments, %d budgets", len(m.deployments), len(m.budgets))
			}
			for i, d := range m.deployments {
				pod := d.Spec.Template.Spec
				hardened(t, pod)
				consistent(t, pod)
				onlyKnown(t, "weir-controlplane", slices.Collect(maps.Keys(environment(t, pod.Containers[0]))))
				asleep := pod.Containers[0].Lifecycle.PreStop.Sleep.Seconds
				if grace := *pod.TerminationGracePeriodSeconds; grace <= asleep+graces(t)["weir-controlplane"] {
					t.Errorf("a pod has %d s to end; it sleeps %d s and drains for %d s", grace, asleep, graces(t)["weir-controlplane"])
				}
				if !selects(d.Spec.Selector.MatchLabels, d) || !selects(m.budgets[i].Spec.Selector.MatchLabels, d) {
					t.Errorf("%s does not select its pods", d.Name)
				}
			}
		})
	}
}

func TestControlPlaneChartRoles(t *testing.T) {
	m := rendered(t, "weir-controlplane", controlPlaneApart)
	for _, d := range m.deployments {
		role := d.Spec.Template.Labels["app.kubernetes.io/component"]
		variables := environment(t, d.Spec.Template.Spec.Containers[0])
		_, writes := variables["WEIR_CLICKHOUSE_URL_FILE"]
		_, operates := variables["WEIR_OPERATOR_TOKEN_FILE"]
		_, produces := variables["WEIR_KAFKA_BROKERS"]
		if variables["WEIR_ROLES"] != role || writes != (role == "ingest") || operates != (role == "api") || produces != (role == "ingest" || role == "relay") ||
			(variables["WEIR_REGION"] == "eu" && variables["WEIR_RELAY_URL"] == "https://relay.eu.example.com") != (role == "relay") {
			t.Errorf("%s has what its roles don't need, or lacks something: %v", role, variables)
		}
		secured := variables["WEIR_KAFKA_TLS"] == "true" && variables["WEIR_KAFKA_CA_FILE"] == "/run/weir/kafka-ca/ca.crt" && variables["WEIR_KAFKA_USERNAME"] == "weir" &&
			variables["WEIR_KAFKA_PASSWORD_FILE"] == "/run/weir/secrets/kafka-password" &&
			slices.ContainsFunc(d.Spec.Template.Spec.Containers[0].VolumeMounts, mountsAt("kafka-ca", "/run/weir/kafka-ca"))
		if secured != produces {
			t.Errorf("%s has of the login at the brokers %v", role, variables)
		}
		files := 0
		for name, value := range variables {
			if strings.HasPrefix(value, "/run/weir/secrets/") && strings.HasSuffix(name, "_FILE") {
				files++
			}
		}
		if items := d.Spec.Template.Spec.Volumes[0].Secret.Items; len(items) != files {
			t.Errorf("%s mounts %v for %d variables", role, items, files)
		}
		for service, serves := range map[int]string{0: "api", 1: "fleet", 2: "relay"} {
			if selects(m.services[service].Spec.Selector, d) != (role == serves) {
				t.Errorf("service %s and %s don't fit", m.services[service].Name, role)
			}
		}
	}
	paths := m.ingresses[0].Spec.Rules[0].HTTP.Paths
	if first := paths[0]; first.Path != "/weir.agent.v1.AgentService" || first.Backend.Service.Name != m.services[1].Name {
		t.Errorf("agents are sent to %+v", first)
	}
	if usage := paths[1]; usage.Path != "/weir.usage.v1.UsageService" || usage.Backend.Service.Name != m.services[2].Name {
		t.Errorf("usage is sent to %+v", usage)
	}
	kafkaOnly := rendered(t, "weir-controlplane", controlPlaneLeast+"processes: [{name: all, roles: [api, fleet, ingest], replicas: 1, resources: {}}]\ningress: {enabled: true, host: w}\n")
	if paths := kafkaOnly.ingresses[0].Spec.Rules[0].HTTP.Paths; len(paths) != 2 || len(kafkaOnly.services) != len(m.services)-1 {
		t.Errorf("without a relay usage is sent to %+v", paths)
	}
	if last := paths[len(paths)-1]; last.Path != "/" || last.Backend.Service.Name != m.services[0].Name {
		t.Errorf("people are sent to %+v", last)
	}
}

func selects(labels map[string]string, d appsv1.Deployment) bool {
	for key, value := range labels {
		if d.Spec.Template.Labels[key] != value {
			return false
		}
	}
	return true
}

func TestControlPlaneChartRefuses(t *testing.T) {
	for name, test := range map[string]struct{ values, says string }{
		"no_url":            {"oidc: {issuer: 'https://l', clientId: w}\nkafka: {brokers: ['k:9092']}", "url"},
		"no_identities":     {"url: https://weir.example.com\nkafka: {brokers: ['k:9092']}", "oidc.issuer"},
		"an_unknown_role":   {controlPlaneLeast + "processes: [{name: a, roles: [api, fleets], replicas: 1}]", "roles"},
		"a_role_is_missing": {controlPlaneLeast + "processes: [{name: a, roles: [api, fleet], replicas: 1}]", "none has the role ingest"},
		"foreign_settings":  {controlPlaneLeast + "settings: {PATH: x}", "PATH"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := render(t, loadChart(t, "weir-controlplane"), test.values)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want it to name %s", err, test.says)
			}
		})
	}
}
