package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/weirhq/weir/deploy/local/process"
)

const nobody = 65534

// postgresUser is who the server runs as: PostgreSQL refuses root, so root starts it as nobody. Where a folder
// above the data is closed to nobody, the server also gets the one capability that lets it walk through.
func postgresUser(dir string) (*process.User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	user := &process.User{UID: nobody, GID: nobody}
	open, err := reachable(dir)
	if err != nil || open {
		return user, err
	}
	capability, err := traverseCapability()
	if err != nil {
		return nil, fmt.Errorf("postgres can't run as root, and uid %d can't reach %s: %w", nobody, dir, err)
	}
	user.Capabilities = []uintptr{capability}
	return user, nil
}

// reachable is true when every folder from / down to path may be searched by everybody.
func reachable(path string) (bool, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", path, err)
	}
	for dir := real; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return false, fmt.Errorf("look at %s: %w", dir, err)
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || (info.Mode().Perm()&0o001 == 0 && stat.Uid != nobody) {
			return false, nil
		}
		if dir == filepath.Dir(dir) {
			return true, nil
		}
	}
}

// traverseCapability picks the weakest of ours that opens folders: containers often keep only the second.
func traverseCapability() (uintptr, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	if err := unix.Capget(&header, &have[0]); err != nil {
		return 0, fmt.Errorf("read own capabilities: %w", err)
	}
	for _, c := range []uintptr{unix.CAP_DAC_READ_SEARCH, unix.CAP_DAC_OVERRIDE} {
		if have[c/32].Permitted&(1<<(c%32)) != 0 {
			return c, nil
		}
	}
	return 0, fmt.Errorf("set WEIR_LOCAL_DIR to a folder that everybody may search, or don't run as root")
}
