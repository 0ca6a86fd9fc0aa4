package azureapi

import (
	"cmp"
	"strings"

	"tacet"
)

// denial words a refused decision as Key Vault does, for a vault that goes by role
// assignments or one that goes by access policies, and for an address that is not let in.
func (x *exchange) denial(d *tacet.Denial) *failure {
	if d == nil {
		d = &tacet.Denial{}
	}
	who := x.callerText()
	switch {
	case d.Reason == tacet.DenyNetwork:
		return forbidden("ForbiddenByFirewall", "Client address is not authorized and caller is not a trusted service.\r\n"+
			"Client address: "+x.call.SourceIP+"\r\nCaller: "+who+"\r\nVault: "+x.vaultText())
	case x.site.vault.AccessPolicies:
		return forbidden("ForbiddenByPolicy", "The user, group or application '"+who+"' does not have secrets "+x.verb+
			" permission on key vault '"+x.vaultText()+"'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287")
	}
	deny := "null"
	if d.Reason.Explicit() {
		deny = "'" + cmp.Or(d.Assignment, d.ID) + "'" // or else what `tacet why` explains
	}
	return forbidden("ForbiddenByRbac", "Caller is not authorized to perform action on resource.\r\n"+
		"If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n"+
		"Caller: "+who+"\r\nAction: '"+d.DataAction+"'\r\nResource: '"+x.resourceID()+"'\r\nAssignment: (not found)\r\n"+
		"DenyAssignmentId: "+deny+"\r\nDecisionReason: null \r\nVault: "+x.vaultText()+"\r\n")
}

// vaultText is how messages call the vault.
func (x *exchange) vaultText() string {
	return x.site.vault.Name + ";location=" + x.site.vault.Region
}

// callerText is how messages call the caller: by the GUIDs of its token.
func (x *exchange) callerText() string {
	id, _, _ := strings.Cut(x.call.Caller.ID, ":")
	return "appid=" + tacet.ClientID(id) + ";oid=" + tacet.ObjectID(id) + ";iss=https://sts.windows.net/" + x.tenant + "/"
}

// resourceID is the target's id in Azure's resource manager. The deployment is one
// subscription with one resource group.
func (x *exchange) resourceID() string {
	id := "/subscriptions/" + x.tenant + "/resourcegroups/tacet/providers/microsoft.keyvault/vaults/" + strings.ToLower(x.site.vault.Name)
	if x.target.name != "" {
		id += "/secrets/" + strings.ToLower(x.target.name)
	}
	return id
}
