package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// prepare runs prepare.sh in a copy of its folder and returns what is in secrets.
func prepare(t *testing.T, dir string) map[string]string {
	t.Helper()
	if out, err := exec.Command(filepath.Join(dir, "prepare.sh")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files, err := os.ReadDir(filepath.Join(dir, "secrets"))
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{}
	for _, file := range files {
		if !file.IsDir() {
			made[file.Name()] = read(t, filepath.Join(dir, "secrets", file.Name()))
		}
	}
	return made
}

func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../compose")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "secrets")); err != nil {
		t.Fatal(err)
	}
	made := prepare(t, dir)
	project, err := composed(t, composeEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range project.Secrets {
		if _, ok := made[filepath.Base(secret.File)]; !ok {
			t.Errorf("secret %s has no file", name)
		}
	}
	if diff := cmp.Diff(made, prepare(t, dir)); diff != "" {
		t.Errorf("the second run changed secrets: %s", diff)
	}
	if !strings.Contains(made["postgres_url"], ":"+made["postgres_weir_password"]+"@") || len(made["operator_token"]) < 32 {
		t.Error("secrets don't fit each other")
	}
	if strings.Contains(made["clickhouse_users.xml"], "_SHA256") || strings.Count(made["clickhouse_users.xml"], "<password_sha256_hex>") != 3 {
		t.Errorf("users of ClickHouse have no passwords:\n%s", made["clickhouse_users.xml"])
	}
	for path, mode := range map[string]os.FileMode{"secrets": 0o700, "secrets/operator_token": 0o644} {
		if info, err := os.Stat(filepath.Join(dir, path)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}
