package check

import (
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// hardened holds a pod to the restricted Pod Security Standard and a read-only root.
func hardened(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	shared, own := pod.SecurityContext, pod.Containers[0].SecurityContext
	switch {
	case len(pod.Containers) != 1 || shared == nil || own == nil:
		t.Fatal("want one container, and security contexts of it and its pod")
	case shared.RunAsNonRoot == nil || !*shared.RunAsNonRoot || *shared.RunAsUser != 65532 || *shared.FSGroup != 65532:
		t.Error("the pod may run as root, or can't read its files")
	case shared.SeccompProfile == nil || shared.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault:
		t.Error("no seccomp profile")
	case own.ReadOnlyRootFilesystem == nil || !*own.ReadOnlyRootFilesystem:
		t.Error("the root file system is writable")
	case own.AllowPrivilegeEscalation == nil || *own.AllowPrivilegeEscalation || own.Capabilities == nil || !slices.Equal(own.Capabilities.Drop, []corev1.Capability{"ALL"}):
		t.Error("privileges can be had")
	case pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken:
		t.Error("the pod has a token of the cluster's API")
	case pod.Containers[0].Resources.Limits.Memory().IsZero() || pod.Containers[0].Resources.Requests.Cpu().IsZero():
		t.Error("no bounds of memory, or no share of CPU")
	}
}

// consistent holds ports, probes and volumes to each other.
func consistent(t *testing.T, pod corev1.PodSpec, claims ...string) {
	t.Helper()
	c := pod.Containers[0]
	ports := map[string]bool{}
	for _, port := range c.Ports {
		ports[port.Name] = true
	}
	for name, probe := range map[string]*corev1.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
		var at intstr.IntOrString
		switch {
		case probe == nil:
			t.Errorf("no %s probe", name)
			continue
		case probe.HTTPGet != nil:
			at = probe.HTTPGet.Port
		case probe.TCPSocket != nil:
			at = probe.TCPSocket.Port
		}
		if !ports[at.StrVal] {
			t.Errorf("%s probe asks port %q, which is none of %v", name, at.StrVal, slices.Sorted(maps.Keys(ports)))
		}
	}
	have := map[string]bool{}
	for _, claim := range claims {
		have[claim] = true
	}
	for _, volume := range pod.Volumes {
		have[volume.Name] = true
		if volume.Secret == nil || volume.Secret.DefaultMode == nil || *volume.Secret.DefaultMode != 0o440 {
			t.Errorf("volume %s: want a Secret that only the pod's group reads", volume.Name)
		}
	}
	for _, mount := range c.VolumeMounts {
		if !have[mount.Name] {
			t.Errorf("no volume %q", mount.Name)
		}
		delete(have, mount.Name)
	}
	if len(have) > 0 {
		t.Errorf("volumes that nothing mounts: %v", have)
	}
}

// environment of a container; no variable twice.
func environment(t *testing.T, c corev1.Container) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, variable := range c.Env {
		if _, twice := values[variable.Name]; twice {
			t.Errorf("%s is given twice", variable.Name)
		}
		values[variable.Name] = variable.Value
	}
	return values
}

func mountsAt(volume, path string) func(corev1.VolumeMount) bool {
	return func(m corev1.VolumeMount) bool { return m.Name == volume && m.MountPath == path }
}
