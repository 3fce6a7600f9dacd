package check

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// composed loads compose.yaml as Docker Compose does: schema, variables, and references between parts.
func composed(t *testing.T, environment types.Mapping) (*types.Project, error) {
	t.Helper()
	dir, err := filepath.Abs("../compose")
	if err != nil {
		t.Fatal(err)
	}
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yaml")}},
		Environment: environment,
	}, func(o *loader.Options) { o.Profiles = []string{"agent"} })
}

var composeEnvironment = types.Mapping{"WEIR_OIDC_ISSUER": "https://login.example.com", "WEIR_OIDC_CLIENT_ID": "weir"}

func TestCompose(t *testing.T) {
	project, err := composed(t, composeEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"agent", "clickhouse", "controlplane", "kafka", "kafka-topics", "postgres"}
	if names := project.ServiceNames(); !slices.Equal(slices.Sorted(slices.Values(names)), want) {
		t.Errorf("services %v", names)
	}
	for name, service := range project.Services {
		if !slices.Equal(service.CapDrop, []string{"ALL"}) || !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s can gain privileges", name)
		}
		if _, tag, ok := strings.Cut(service.Image, ":"); !ok || tag == "latest" {
			t.Errorf("%s: image %s is not pinned", name, service.Image)
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to other machines", name, port.Published)
			}
		}
		for needed, condition := range service.DependsOn {
			if condition.Condition == types.ServiceConditionHealthy && project.Services[needed].HealthCheck == nil && project.Services[needed].Build == nil {
				t.Errorf("%s waits for the health of %s, which has no check", name, needed)
			}
		}
		for _, volume := range service.Volumes {
			if _, err := os.Stat(volume.Source); volume.Type == types.VolumeTypeBind && err != nil && !strings.Contains(volume.Source, "/secrets/") {
				t.Errorf("%s mounts %s: %v", name, volume.Source, err)
			}
		}
	}
}

func TestComposeServesWeir(t *testing.T) {
	project, err := composed(t, composeEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	for name, binary := range map[string]string{"agent": "weir-agent", "controlplane": "weir-controlplane"} {
		service := project.Services[name]
		onlyKnown(t, binary, slices.Collect(maps.Keys(service.Environment)))
		if !service.ReadOnly || service.User != "65532:65532" {
			t.Errorf("%s: read-only %v, user %q", name, service.ReadOnly, service.User)
		}
		if service.Build.Dockerfile != "deploy/docker/"+binary+".Dockerfile" {
			t.Errorf("%s is built from %s", name, service.Build.Dockerfile)
		}
		if grace := int64(*service.StopGracePeriod) / 1e9; grace <= graces(t)[binary] {
			t.Errorf("%s has %d s to end and needs %d", name, grace, graces(t)[binary])
		}
		mounted := map[string]bool{}
		for _, secret := range service.Secrets {
			mounted["/run/secrets/"+secret.Source] = true
		}
		for variable, value := range service.Environment {
			if strings.HasPrefix(*value, "/run/secrets/") && !mounted[*value] {
				t.Errorf("%s: %s names %s, which is not mounted", name, variable, *value)
			}
		}
	}
	if agent, control := project.Services["agent"], project.Services["controlplane"]; *agent.Environment["WEIR_CONTROL_URL"] != *control.Environment["WEIR_URL"] {
		t.Error("the agent does not call the control plane by its own name")
	}
}

func TestComposeAsksForTheIdentityProvider(t *testing.T) {
	if _, err := composed(t, types.Mapping{"WEIR_OIDC_ISSUER": "https://login.example.com"}); err == nil || !strings.Contains(err.Error(), "WEIR_OIDC_CLIENT_ID") {
		t.Errorf("without a client: %v", err)
	}
}
