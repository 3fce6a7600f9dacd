package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// directives of a unit, by name, in their order.
func directives(t *testing.T, unit string) map[string][]string {
	t.Helper()
	found, section := map[string][]string{}, ""
	for line := range strings.Lines(read(t, "../systemd/"+unit+".service")) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = line
		case !ok:
			t.Errorf("%s is no directive", line)
		default:
			found[section+name] = append(found[section+name], value)
		}
	}
	return found
}

func TestUnits(t *testing.T) {
	for binary := range configs {
		t.Run(binary, func(t *testing.T) {
			unit := directives(t, binary)
			for name, want := range map[string]string{
				"DynamicUser": "yes", "StateDirectory": binary, "StateDirectoryMode": "0700", "UMask": "0077",
				"NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "AmbientCapabilities": "", "ProtectSystem": "strict", "ProtectHome": "yes",
				"PrivateTmp": "yes", "PrivateDevices": "yes", "MemoryDenyWriteExecute": "yes", "RestrictAddressFamilies": "AF_INET AF_INET6",
				"RestrictNamespaces": "yes", "SystemCallArchitectures": "native", "EnvironmentFile": "/etc/weir/" + strings.TrimPrefix(binary, "weir-") + ".env",
			} {
				if got := unit["[Service]"+name]; !slices.Equal(got, []string{want}) {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if got := unit["[Service]SystemCallFilter"]; !slices.Equal(got, []string{"@system-service", "~@privileged @resources"}) {
				t.Errorf("SystemCallFilter is %q", got)
			}
			program, _, _ := strings.Cut(unit["[Service]ExecStart"][0], " ")
			if program != "/usr/bin/"+binary {
				t.Errorf("it starts %s", program)
			}
			limit, err := strconv.ParseInt(strings.TrimSuffix(unit["[Service]TimeoutStopSec"][0], "s"), 10, 64)
			if err != nil || limit <= graces(t)[binary] {
				t.Errorf("it has %d s to end and needs %d (%v)", limit, graces(t)[binary], err)
			}
			checkSettings(t, binary, unit)
		})
	}
}

// checkSettings: what the unit says is known to the binary, and each credential that it names is loaded.
func checkSettings(t *testing.T, binary string, unit map[string][]string) {
	t.Helper()
	loaded, named := map[string]bool{}, map[string]bool{}
	for _, credential := range unit["[Service]LoadCredential"] {
		name, path, _ := strings.Cut(credential, ":")
		if !strings.HasPrefix(path, "/etc/weir/") {
			t.Errorf("credential %s is from %q", name, path)
		}
		loaded[name] = true
	}
	var variables []string
	for _, setting := range unit["[Service]Environment"] {
		variable, value, _ := strings.Cut(setting, "=")
		variables = append(variables, variable)
		if credential, ok := strings.CutPrefix(value, "%d/"); ok {
			named[credential] = true
			if !loaded[credential] {
				t.Errorf("%s names credential %s, which is not loaded", variable, credential)
			}
		} else if !strings.HasPrefix(value, "%S/"+unit["[Service]StateDirectory"][0]) {
			t.Errorf("%s is %s: neither a credential nor in the state folder", variable, value)
		}
	}
	if len(named) != len(loaded) {
		t.Errorf("credentials %v are loaded, %v are named", loaded, named)
	}
	onlyKnown(t, binary, variables)
}

// maxExposure is of systemd-analyze security, in tenths: a service that may speak to the Internet, and to little else.
const maxExposure = "13"

// TestUnitsBySystemd has the units read by systemd itself. Where it is not installed, `make check-deploy` says so.
func TestUnitsBySystemd(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not on the PATH")
	}
	for binary := range configs {
		t.Run(binary, func(t *testing.T) {
			unit := filepath.Join(t.TempDir(), binary+".service")
			// The binary is not installed here; another that is takes its place.
			text := strings.Replace(read(t, "../systemd/"+binary+".service"), "ExecStart=/usr/bin/"+binary, "ExecStart=/usr/bin/true", 1)
			if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(analyze, "verify", unit).CombinedOutput(); err != nil || strings.Contains(string(out), binary+".service") {
				t.Errorf("verify: %v\n%s", err, out)
			}
			if out, err := exec.Command(analyze, "security", "--offline=yes", "--threshold="+maxExposure, unit).CombinedOutput(); err != nil {
				t.Errorf("security: %v\n%s", err, out)
			}
		})
	}
}
