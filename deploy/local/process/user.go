package process

import (
	"os/exec"
	"syscall"
)

// User is the identity of a child that must not run as root.
type User struct {
	UID, GID uint32
	// Capabilities the child keeps although it is not root (numbers of linux/capability.h). They take effect in the
	// child's program, not before: the program itself has to be reachable without them.
	Capabilities []uintptr
}

// Apply makes cmd, not yet started, run as the user. A nil user changes nothing. cmd.SysProcAttr must be set.
func (u *User) Apply(cmd *exec.Cmd) {
	if u == nil {
		return
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID}
	cmd.SysProcAttr.AmbientCaps = u.Capabilities
}
