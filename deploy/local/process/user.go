package process

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// User is the identity of a child that must not run as root.
type User struct {
	UID, GID uint32
	// Capabilities the child keeps although it is not root (numbers of linux/capability.h).
	Capabilities []uintptr
}

// Apply makes cmd, not yet started, run as the user. The returned function is to be called once it has started.
//
// Between the change of identity and exec no capability is in effect, so a binary below a closed folder could
// not be found by its path: the child is handed the opened binary instead, as the descriptor after cmd.ExtraFiles.
func (u *User) Apply(cmd *exec.Cmd) (started func(), err error) {
	if u == nil {
		return func() {}, nil
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID}
	if len(u.Capabilities) == 0 {
		return func() {}, nil
	}
	binary, err := os.Open(cmd.Path)
	if err != nil {
		return nil, fmt.Errorf("open binary: %w", err)
	}
	cmd.SysProcAttr.AmbientCaps = u.Capabilities
	cmd.ExtraFiles = append(cmd.ExtraFiles, binary)
	cmd.Path = fmt.Sprintf("/proc/self/fd/%d", 2+len(cmd.ExtraFiles))
	return func() { binary.Close() }, nil
}
