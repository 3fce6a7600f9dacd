package check

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// manifest is what a chart renders, by kind.
type manifest struct {
	statefulSets    []appsv1.StatefulSet
	deployments     []appsv1.Deployment
	services        []corev1.Service
	serviceAccounts []corev1.ServiceAccount
	budgets         []policyv1.PodDisruptionBudget
	networkPolicies []networkingv1.NetworkPolicy
	ingresses       []networkingv1.Ingress
	serviceMonitors []serviceMonitor
}

// serviceMonitor is the part of monitoring.coreos.com/v1 that the charts use.
type serviceMonitor struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Spec       struct {
		Selector struct {
			MatchLabels map[string]string `json:"matchLabels"`
		} `json:"selector"`
		Endpoints []struct{ Port, Path, Interval string } `json:"endpoints"`
	} `json:"spec"`
}

func loadChart(t *testing.T, name string) *chart.Chart {
	t.Helper()
	c, err := loader.LoadDir("../helm/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c
}

// render is `helm template` with strict templates; values are checked against the chart's schema, as Helm does.
func render(t *testing.T, c *chart.Chart, values string) (map[string]string, error) {
	t.Helper()
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	release := chartutil.ReleaseOptions{Name: "prod", Namespace: "weir", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(c, given, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Engine{Strict: true}.Render(c, all)
}

func rendered(t *testing.T, name, values string) manifest {
	t.Helper()
	files, err := render(t, loadChart(t, name), values)
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(file) != ".yaml" {
			continue
		}
		for document := range strings.SplitSeq(files[file], "\n---\n") {
			m.add(t, file, document)
		}
	}
	return m
}

// add decodes strictly: a field that Kubernetes does not know, or that is there twice, is a fault.
func (m *manifest) add(t *testing.T, file, document string) {
	t.Helper()
	var kind struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
		t.Fatalf("%s: %v\n%s", file, err, document)
	}
	switch kind.APIVersion + " " + kind.Kind {
	case " ":
	case "apps/v1 StatefulSet":
		m.statefulSets = decoded(t, file, document, m.statefulSets)
	case "apps/v1 Deployment":
		m.deployments = decoded(t, file, document, m.deployments)
	case "v1 Service":
		m.services = decoded(t, file, document, m.services)
	case "v1 ServiceAccount":
		m.serviceAccounts = decoded(t, file, document, m.serviceAccounts)
	case "policy/v1 PodDisruptionBudget":
		m.budgets = decoded(t, file, document, m.budgets)
	case "networking.k8s.io/v1 NetworkPolicy":
		m.networkPolicies = decoded(t, file, document, m.networkPolicies)
	case "networking.k8s.io/v1 Ingress":
		m.ingresses = decoded(t, file, document, m.ingresses)
	case "monitoring.coreos.com/v1 ServiceMonitor":
		m.serviceMonitors = decoded(t, file, document, m.serviceMonitors)
	default:
		t.Errorf("%s: no check for a %s of %s", file, kind.Kind, kind.APIVersion)
	}
}

func decoded[T any](t *testing.T, file, document string, list []T) []T {
	t.Helper()
	var object T
	if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
		t.Errorf("%s: %v\n%s", file, err, document)
	}
	return append(list, object)
}
