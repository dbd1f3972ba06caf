/* The messages of Kubernetes' protobuf encoding that clients write here, after k8s.io/api's generated.proto:
 * what typed clients create (kubectl create, expose, drain, auth can-i); api/proto.h says how a line is read. */
#include "rest/protobuf.h"

static const struct proto_message messages[] = {
    {"Namespace", "1 metadata ObjectMeta|2 spec NamespaceSpec"},
    {"ServiceAccount",
     "1 metadata ObjectMeta|2 secrets *ObjectReference|3 imagePullSecrets *LocalObjectReference|"
     "4! automountServiceAccountToken b"},
    {"ConfigMap", "1 metadata ObjectMeta|4! immutable b|2 data %s|3 binaryData %y"},
    {"Secret", "1 metadata ObjectMeta|5! immutable b|2 data %y|4 stringData %s|3 type s"},
    {"Service", "1 metadata ObjectMeta|2 spec ServiceSpec"},
    {"Pod", "1 metadata ObjectMeta|2 spec PodSpec"},
    {"Deployment", "1 metadata ObjectMeta|2 spec DeploymentSpec"},
    {"ReplicaSet", "1 metadata ObjectMeta|2 spec ReplicaSetSpec"},
    {"Role", "1 metadata ObjectMeta|2 rules *PolicyRule"},
    {"RoleBinding", "1 metadata ObjectMeta|2 subjects *Subject|3 roleRef RoleRef"},
    {"ClusterRole", "1 metadata ObjectMeta|2 rules *PolicyRule"},
    {"ClusterRoleBinding", "1 metadata ObjectMeta|2 subjects *Subject|3 roleRef RoleRef"},
    {"SelfSubjectAccessReview", "1 metadata ObjectMeta|2 spec SelfSubjectAccessReviewSpec"},
    {"SelfSubjectRulesReview", "1 metadata ObjectMeta|2 spec SelfSubjectRulesReviewSpec"},
    {"SelfSubjectReview", "1 metadata ObjectMeta"},
    {"TokenReview", "1 metadata ObjectMeta|2 spec TokenReviewSpec"},
    {"SubjectAccessReview", "1 metadata ObjectMeta|2 spec SubjectAccessReviewSpec"},
    {"LocalSubjectAccessReview", "1 metadata ObjectMeta|2 spec SubjectAccessReviewSpec"},
    {"PodDisruptionBudget", "1 metadata ObjectMeta|2 spec PodDisruptionBudgetSpec"},
    {"HorizontalPodAutoscaler", "1 metadata ObjectMeta|2 spec HorizontalPodAutoscalerSpec"},
    {"NamespaceSpec", "1 finalizers *s"},
    {"LocalObjectReference", "1 name s"},
    {"ServiceSpec",
     "1 ports *ServicePort|2 selector %s|3 clusterIP s|18 clusterIPs *s|4 type s|5 externalIPs *s|"
     "7 sessionAffinity s|8 loadBalancerIP s|9 loadBalancerSourceRanges *s|10 externalName s|"
     "11 externalTrafficPolicy s|12 healthCheckNodePort i|13 publishNotReadyAddresses b|"
     "14 sessionAffinityConfig SessionAffinityConfig|16 topologyKeys *s|19 ipFamilies *s|"
     "17! ipFamilyPolicy s|20! allocateLoadBalancerNodePorts b"},
    {"PodSpec", "1 volumes *Volume|20 initContainers *Container|2 containers *Container|3 restartPolicy s|"
                "4! terminationGracePeriodSeconds i|5! activeDeadlineSeconds i|6 dnsPolicy s|"
                "7 nodeSelector %s|8 serviceAccountName s|9 serviceAccount s|"
                "21! automountServiceAccountToken b|10 nodeName s|11 hostNetwork b|12 hostPID b|13 hostIPC b|"
                "27! shareProcessNamespace b|14 securityContext PodSecurityContext|"
                "15 imagePullSecrets *LocalObjectReference|16 hostname s|17 subdomain s|18 affinity Affinity|"
                "19 schedulerName s|22 tolerations *Toleration|23 hostAliases *HostAlias|"
                "24 priorityClassName s|25! priority i|26 dnsConfig PodDNSConfig|"
                "28 readinessGates *PodReadinessGate|29! runtimeClassName s|30! enableServiceLinks b|"
                "31! preemptionPolicy s|32 overhead %Q|"
                "33 topologySpreadConstraints *TopologySpreadConstraint|35! setHostnameAsFQDN b"},
    {"DeploymentSpec",
     "1! replicas i|2 selector LabelSelector|3 template PodTemplateSpec|"
     "4 strategy DeploymentStrategy|5 minReadySeconds i|6! revisionHistoryLimit i|7 paused b|"
     "9! progressDeadlineSeconds i"},
    {"ReplicaSetSpec",
     "1! replicas i|4 minReadySeconds i|2 selector LabelSelector|3 template PodTemplateSpec"},
    {"PolicyRule", "1 verbs *s|2 apiGroups *s|3 resources *s|4 resourceNames *s|5 nonResourceURLs *s"},
    {"Subject", "1 kind s|2 apiGroup s|3 name s|4 namespace s"},
    {"RoleRef", "1 apiGroup s|2 kind s|3 name s"},
    {"SelfSubjectAccessReviewSpec",
     "1 resourceAttributes ResourceAttributes|2 nonResourceAttributes NonResourceAttributes"},
    {"SelfSubjectRulesReviewSpec", "1 namespace s"},
    {"TokenReviewSpec", "1 token s|2 audiences *s"},
    {"SubjectAccessReviewSpec", "1 resourceAttributes ResourceAttributes|2 nonResourceAttributes "
                                "NonResourceAttributes|3 user s|4 groups *s|6 uid s"},
    {"PodDisruptionBudgetSpec", "1 minAvailable I|2 selector LabelSelector|3 maxUnavailable I"},
    {"HorizontalPodAutoscalerSpec",
     "1 scaleTargetRef CrossVersionObjectReference|2! minReplicas i|3 maxReplicas i|"
     "4! targetCPUUtilizationPercentage i"},
    {"ServicePort", "1 name s|2 protocol s|6! appProtocol s|3 port i|4 targetPort I|5 nodePort i"},
    {"SessionAffinityConfig", "1 clientIP ClientIPConfig"},
    {"Volume", "1 name s|2 volumeSource &VolumeSource"},
    {"Container", "1 name s|2 image s|3 command *s|4 args *s|5 workingDir s|6 ports *ContainerPort|"
                  "19 envFrom *EnvFromSource|7 env *EnvVar|8 resources ResourceRequirements|"
                  "9 volumeMounts *VolumeMount|21 volumeDevices *VolumeDevice|10 livenessProbe Probe|"
                  "11 readinessProbe Probe|22 startupProbe Probe|12 lifecycle Lifecycle|"
                  "13 terminationMessagePath s|20 terminationMessagePolicy s|14 imagePullPolicy s|"
                  "15 securityContext SecurityContext|16 stdin b|17 stdinOnce b|18 tty b"},
    {"PodSecurityContext",
     "1 seLinuxOptions SELinuxOptions|8 windowsOptions WindowsSecurityContextOptions|"
     "2! runAsUser i|6! runAsGroup i|3! runAsNonRoot b|4 supplementalGroups *i|5! fsGroup i|"
     "7 sysctls *Sysctl|9! fsGroupChangePolicy s|10 seccompProfile SeccompProfile"},
    {"Affinity", "1 nodeAffinity NodeAffinity|2 podAffinity PodAffinity|3 podAntiAffinity PodAntiAffinity"},
    {"Toleration", "1 key s|2 operator s|3 value s|4 effect s|5! tolerationSeconds i"},
    {"HostAlias", "1 ip s|2 hostnames *s"},
    {"PodDNSConfig", "1 nameservers *s|2 searches *s|3 options *PodDNSConfigOption"},
    {"PodReadinessGate", "1 conditionType s"},
    {"TopologySpreadConstraint",
     "1 maxSkew i|2 topologyKey s|3 whenUnsatisfiable s|4 labelSelector LabelSelector"},
    {"LabelSelector", "1 matchLabels %s|2 matchExpressions *LabelSelectorRequirement"},
    {"PodTemplateSpec", "1 metadata ObjectMeta|2 spec PodSpec"},
    {"DeploymentStrategy", "1 type s|2 rollingUpdate RollingUpdateDeployment"},
    {"ResourceAttributes",
     "1 namespace s|2 verb s|3 group s|4 version s|5 resource s|6 subresource s|7 name s"},
    {"NonResourceAttributes", "1 path s|2 verb s"},
    {"CrossVersionObjectReference", "1 kind s|2 name s|3 apiVersion s"},
    {"ClientIPConfig", "1! timeoutSeconds i"},
    {"VolumeSource",
     "1 hostPath HostPathVolumeSource|2 emptyDir EmptyDirVolumeSource|6 secret SecretVolumeSource|"
     "10 persistentVolumeClaim PersistentVolumeClaimVolumeSource|"
     "16 downwardAPI DownwardAPIVolumeSource|19 configMap ConfigMapVolumeSource|"
     "26 projected ProjectedVolumeSource"},
    {"ContainerPort", "1 name s|2 hostPort i|3 containerPort i|4 protocol s|5 hostIP s"},
    {"EnvFromSource", "1 prefix s|2 configMapRef ConfigMapEnvSource|3 secretRef SecretEnvSource"},
    {"EnvVar", "1 name s|2 value s|3 valueFrom EnvVarSource"},
    {"ResourceRequirements", "1 limits %Q|2 requests %Q"},
    {"VolumeMount", "1 name s|2 readOnly b|3 mountPath s|4 subPath s|5! mountPropagation s|6 subPathExpr s"},
    {"VolumeDevice", "1 name s|2 devicePath s"},
    {"Probe", "1 handler &Handler|2 initialDelaySeconds i|3 timeoutSeconds i|4 periodSeconds i|"
              "5 successThreshold i|6 failureThreshold i"},
    {"Lifecycle", "1 postStart Handler|2 preStop Handler"},
    {"SecurityContext",
     "1 capabilities Capabilities|2! privileged b|3 seLinuxOptions SELinuxOptions|"
     "10 windowsOptions WindowsSecurityContextOptions|4! runAsUser i|8! runAsGroup i|"
     "5! runAsNonRoot b|6! readOnlyRootFilesystem b|7! allowPrivilegeEscalation b|9! procMount s|"
     "11 seccompProfile SeccompProfile"},
    {"SELinuxOptions", "1 user s|2 role s|3 type s|4 level s"},
    {"WindowsSecurityContextOptions",
     "1! gmsaCredentialSpecName s|2! gmsaCredentialSpec s|3! runAsUserName s"},
    {"Sysctl", "1 name s|2 value s"},
    {"SeccompProfile", "1 type s|2! localhostProfile s"},
    {"NodeAffinity", "1 requiredDuringSchedulingIgnoredDuringExecution NodeSelector|"
                     "2 preferredDuringSchedulingIgnoredDuringExecution *PreferredSchedulingTerm"},
    {"PodAffinity", "1 requiredDuringSchedulingIgnoredDuringExecution *PodAffinityTerm|"
                    "2 preferredDuringSchedulingIgnoredDuringExecution *WeightedPodAffinityTerm"},
    {"PodAntiAffinity", "1 requiredDuringSchedulingIgnoredDuringExecution *PodAffinityTerm|"
                        "2 preferredDuringSchedulingIgnoredDuringExecution *WeightedPodAffinityTerm"},
    {"PodDNSConfigOption", "1 name s|2! value s"},
    {"LabelSelectorRequirement", "1 key s|2 operator s|3 values *s"},
    {"RollingUpdateDeployment", "1 maxUnavailable I|2 maxSurge I"},
    {"HostPathVolumeSource", "1 path s|2! type s"},
    {"EmptyDirVolumeSource", "1 medium s|2 sizeLimit Q"},
    {"SecretVolumeSource", "1 secretName s|2 items *KeyToPath|3! defaultMode i|4! optional b"},
    {"PersistentVolumeClaimVolumeSource", "1 claimName s|2 readOnly b"},
    {"DownwardAPIVolumeSource", "1 items *DownwardAPIVolumeFile|2! defaultMode i"},
    {"ConfigMapVolumeSource",
     "1 localObjectReference &LocalObjectReference|2 items *KeyToPath|3! defaultMode i|"
     "4! optional b"},
    {"ProjectedVolumeSource", "1 sources *VolumeProjection|2! defaultMode i"},
    {"ConfigMapEnvSource", "1 localObjectReference &LocalObjectReference|2! optional b"},
    {"SecretEnvSource", "1 localObjectReference &LocalObjectReference|2! optional b"},
    {"EnvVarSource", "1 fieldRef ObjectFieldSelector|2 resourceFieldRef ResourceFieldSelector|"
                     "3 configMapKeyRef ConfigMapKeySelector|4 secretKeyRef SecretKeySelector"},
    {"Handler", "1 exec ExecAction|2 httpGet HTTPGetAction|3 tcpSocket TCPSocketAction"},
    {"Capabilities", "1 add *s|2 drop *s"},
    {"NodeSelector", "1 nodeSelectorTerms *NodeSelectorTerm"},
    {"PreferredSchedulingTerm", "1 weight i|2 preference NodeSelectorTerm"},
    {"PodAffinityTerm", "1 labelSelector LabelSelector|2 namespaces *s|3 topologyKey s"},
    {"WeightedPodAffinityTerm", "1 weight i|2 podAffinityTerm PodAffinityTerm"},
    {"KeyToPath", "1 key s|2 path s|3! mode i"},
    {"DownwardAPIVolumeFile",
     "1 path s|2 fieldRef ObjectFieldSelector|3 resourceFieldRef ResourceFieldSelector|4! mode i"},
    {"VolumeProjection",
     "1 secret SecretProjection|2 downwardAPI DownwardAPIProjection|"
     "3 configMap ConfigMapProjection|4 serviceAccountToken ServiceAccountTokenProjection"},
    {"ObjectFieldSelector", "1 apiVersion s|2 fieldPath s"},
    {"ResourceFieldSelector", "1 containerName s|2 resource s|3 divisor Q"},
    {"ConfigMapKeySelector", "1 localObjectReference &LocalObjectReference|2 key s|3! optional b"},
    {"SecretKeySelector", "1 localObjectReference &LocalObjectReference|2 key s|3! optional b"},
    {"ExecAction", "1 command *s"},
    {"HTTPGetAction", "1 path s|2 port I|3 host s|4 scheme s|5 httpHeaders *HTTPHeader"},
    {"TCPSocketAction", "1 port I|2 host s"},
    {"NodeSelectorTerm",
     "1 matchExpressions *NodeSelectorRequirement|2 matchFields *NodeSelectorRequirement"},
    {"SecretProjection", "1 localObjectReference &LocalObjectReference|2 items *KeyToPath|4! optional b"},
    {"DownwardAPIProjection", "1 items *DownwardAPIVolumeFile"},
    {"ConfigMapProjection", "1 localObjectReference &LocalObjectReference|2 items *KeyToPath|4! optional b"},
    {"ServiceAccountTokenProjection", "1 audience s|2! expirationSeconds i|3 path s"},
    {"HTTPHeader", "1 name s|2 value s"},
    {"NodeSelectorRequirement", "1 key s|2 operator s|3 values *s"},
};

const struct proto_message *pb_message_find(struct slice name) {
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        if (slice_eqs(name, messages[i].name)) return &messages[i];
    }
    return proto_message_find(name);
}
