package process

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Run runs a command of exec.CommandContext to its end, in a process group of its own, which the end of the context kills.
// The command dies with its parent.
func Run(cmd *exec.Cmd) error {
	runtime.LockOSThread() // the kernel ties the parent-death signal to the thread that forked
	defer runtime.UnlockOSThread()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Pdeathsig = true, syscall.SIGKILL
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd.Run()
}
