package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// runtimeImage has neither shell nor package manager, and a user 65532.
const runtimeImage = "gcr.io/distroless/static-debian12:nonroot"

func stages(t *testing.T, binary string) []instructions.Stage {
	t.Helper()
	parsed, err := parser.Parse(strings.NewReader(read(t, "../docker/"+binary+".Dockerfile")))
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestDockerfiles(t *testing.T) {
	for binary := range configs {
		t.Run(binary, func(t *testing.T) {
			all := stages(t, binary)
			for _, stage := range all {
				_, tag, tagged := strings.Cut(stage.BaseName, ":")
				if !tagged || tag == "latest" {
					t.Errorf("%s is not pinned", stage.BaseName)
				}
			}
			final := all[len(all)-1]
			if final.BaseName != runtimeImage {
				t.Errorf("the image is made from %s", final.BaseName)
			}
			checkFinal(t, binary, final)
			for _, source := range sources(all) {
				if matches, err := filepath.Glob("../../" + source); err != nil || len(matches) == 0 {
					t.Errorf("COPY %s: there is no such file", source)
				}
			}
		})
	}
}

func checkFinal(t *testing.T, binary string, final instructions.Stage) {
	t.Helper()
	var user, entrypoint, health, variables []string
	for _, command := range final.Commands {
		switch c := command.(type) {
		case *instructions.UserCommand:
			user = append(user, c.User)
		case *instructions.EntrypointCommand:
			entrypoint = c.CmdLine
		case *instructions.HealthCheckCommand:
			health = c.Health.Test
		case *instructions.EnvCommand:
			for _, pair := range c.Env {
				variables = append(variables, pair.Key)
			}
		case *instructions.RunCommand:
			t.Errorf("the final stage has no shell to run %v", c.CmdLine)
		}
	}
	program := "/usr/bin/" + binary
	if !slices.Equal(user, []string{"65532:65532"}) || !slices.Equal(entrypoint, []string{program}) || !slices.Equal(health, []string{"CMD", program, "healthy"}) {
		t.Errorf("user %v, entry point %v, health check %v", user, entrypoint, health)
	}
	onlyKnown(t, binary, variables)
	for _, name := range variables {
		if strings.HasSuffix(name, "_FILE") || !strings.HasPrefix(name, "WEIR_") {
			t.Errorf("the image sets %s", name)
		}
	}
}

// sources are the files of the repository that stages copy.
func sources(all []instructions.Stage) (paths []string) {
	for _, stage := range all {
		for _, command := range stage.Commands {
			if c, ok := command.(*instructions.CopyCommand); ok && c.From == "" {
				paths = append(paths, c.SourcePaths...)
			}
		}
	}
	return paths
}

// Images are built by one release of Go, of the line that go.mod asks for.
func TestDockerfilesShareOneToolchain(t *testing.T) {
	line := regexp.MustCompile(`(?m)^go ([0-9]+\.[0-9]+)`).FindStringSubmatch(read(t, "../../go.mod"))[1]
	images := map[string]bool{}
	for binary := range configs {
		for _, stage := range stages(t, binary) {
			if tag, ok := strings.CutPrefix(stage.BaseName, "golang:"); ok {
				images[tag] = true
				if !strings.HasPrefix(tag, line+".") {
					t.Errorf("%s is built by Go %s, and go.mod asks for %s", binary, tag, line)
				}
			}
		}
	}
	if len(images) != 1 {
		t.Errorf("images are built by %v", images)
	}
}

func TestDockerignoreLetsNoSecretsIn(t *testing.T) {
	lines := strings.Split(read(t, "../../.dockerignore"), "\n")
	if !slices.Contains(lines, "*") || slices.Contains(lines, "!deploy") || slices.Contains(lines, "!.weir") {
		t.Error("the build context is not a list of what is let in")
	}
	for _, binary := range []string{"weir-agent", "weir-controlplane"} {
		for _, source := range sources(stages(t, binary)) {
			top, _, _ := strings.Cut(source, string(os.PathSeparator))
			if !slices.Contains(lines, "!"+top) {
				t.Errorf("%s copies %s, which is not in the build context", binary, source)
			}
		}
	}
}

// A stage that lacks a folder would fail only where there is an engine to build it.
func TestDockerfilesCopyWhatIsBuilt(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for binary, config := range configs {
		copied := map[string]bool{}
		for _, source := range sources(stages(t, binary)) {
			copied[strings.Split(source, "/")[0]] = true
		}
		plane := filepath.Base(filepath.Dir(config))
		list := exec.Command("go", "list", "-deps", "-f", "{{.Dir}}", "./"+plane+"/cmd/"+binary)
		list.Dir = root
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		built := map[string]bool{}
		for dir := range strings.Lines(string(out)) {
			if inside, ok := strings.CutPrefix(dir, root+"/"); ok {
				built[strings.Split(strings.TrimSpace(inside), "/")[0]] = true
			}
		}
		for folder := range built {
			if !copied[folder] {
				t.Errorf("%s is built from %s/, which its image does not copy", binary, folder)
			}
		}
		if !built[plane] {
			t.Errorf("%s is built from %v", binary, built)
		}
	}
}
