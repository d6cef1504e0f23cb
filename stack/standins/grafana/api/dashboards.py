"""Dashboards, folders and the search for them."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stack.standins.grafana.api.answers import Refused, answer, not_here, refused
from stack.standins.grafana.api.auth import Identity, identify, need
from stack.standins.grafana.provisioning.dashboards import Dashboard, Folder, slug
from stack.standins.grafana.standin import Standin
from stack.standins.grafana.times import rfc3339


class DashboardsApi:
    """The endpoints of dashboards, folders and search."""

    def __init__(self, standin: Standin) -> None:
        self._standin = standin

    def routes(self) -> Sequence[Route]:
        """
        Its routes.
        """
        return [
            Route("/api/search", self._search),
            Route("/api/folders", self._folders),
            Route("/api/folders", self._make_folder, methods=["POST"]),
            Route("/api/folders/{uid}", self._folder),
            Route("/api/dashboards/uid/{uid}", self._one),
            Route("/api/dashboards/uid/{uid}", self._write, methods=["DELETE"]),
            Route("/api/dashboards/db", self._write, methods=["POST"]),
        ]

    def folders(self) -> Mapping[str, Folder]:
        """
        The folders of rules and dashboards by uid.
        """
        found = {
            rule.folder_uid: Folder(uid=rule.folder_uid, title=rule.folder)
            for rule in self._standin.provisioned.alerting.rules
        }
        for board in self._standin.provisioned.dashboards:
            if board.folder:
                found.setdefault(board.folder.uid, board.folder)
        return found

    async def _search(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        asked = request.query_params
        folders, boards = self.folders(), self._standin.provisioned.dashboards
        found = [_folder_hit(folder, index) for index, folder in enumerate(folders.values(), 1)]
        numbers = {uid: index for index, uid in enumerate(folders, 1)}
        found += [_hit(board, len(folders) + index, numbers) for index, board in enumerate(boards, 1)]
        wanted, tags, kind = asked.get("query", "").lower(), asked.getlist("tag"), asked.get("type")
        below = [uid for text in asked.getlist("folderUIDs") for uid in text.split(",") if uid]
        uids = asked.getlist("dashboardUIDs")
        found = [
            one
            for one in found
            if wanted in str(one["title"]).lower()
            and all(tag in one["tags"] for tag in tags)  # type: ignore[operator]
            and (not kind or one["type"] == kind)
            and (not below or one.get("folderUid") in below)
            and (not uids or one["uid"] in uids)
        ]
        limit = asked.get("limit", "")
        return answer(found[: int(limit) if limit.isdecimal() else 1000])

    async def _folders(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        folders = enumerate(self.folders().values(), 1)
        return answer([{"id": number, "uid": folder.uid, "title": folder.title} for number, folder in folders])

    async def _folder(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        found = self.folders().get(request.path_params["uid"])
        if found is None:
            raise Refused(404, {"message": "folder not found", "status": "not-found"})
        number = list(self.folders()).index(found.uid) + 1
        return answer({"id": number, "uid": found.uid, "title": found.title, "url": _folder_url(found)})

    async def _make_folder(self, request: Request) -> Response:
        need(request, self._standin.settings, "Editor", "folders:create")
        raise not_here("making a folder by the API")

    async def _write(self, request: Request) -> Response:
        need(request, self._standin.settings, "Editor", "any of dashboards:create, dashboards:write")
        raise not_here("saving or deleting a dashboard by the API")

    async def _one(self, request: Request) -> Response:
        who = identify(request, self._standin.settings)
        boards = self._standin.provisioned.dashboards
        for number, board in enumerate(boards, len(self.folders()) + 1):
            if board.uid == request.path_params["uid"]:
                meta = self._meta(board, who)
                return answer(
                    {"meta": meta, "dashboard": {"version": 1, **board.model, "id": number, "uid": board.uid}}
                )
        raise refused(404, "Dashboard not found")

    def _meta(self, board: Dashboard, who: Identity) -> dict[str, object]:
        can = who.at_least("Editor")
        numbers = {uid: index for index, uid in enumerate(self.folders(), 1)}
        made = rfc3339(float(int(self._standin.started_s)))
        rights = {"canAdd": can, "canEdit": can, "canDelete": can}
        return {
            "type": "db",
            **dict.fromkeys(("canSave", "canEdit", "canAdmin", "canStar", "canDelete"), can),
            "slug": board.slug,
            "url": board.url,
            "expires": rfc3339(None),
            "created": made,
            "updated": made,
            "updatedBy": "Anonymous",
            "createdBy": "Anonymous",
            "version": 1,
            "hasAcl": False,
            "isFolder": False,
            "folderId": numbers.get(board.folder.uid, 0) if board.folder else 0,
            "folderUid": board.folder.uid if board.folder else "",
            "folderTitle": board.folder.title if board.folder else "General",
            "folderUrl": _folder_url(board.folder) if board.folder else "",
            "provisioned": True,
            "provisionedExternalId": board.file,
            "apiVersion": "v1",
            "annotationsPermissions": {
                "dashboard": {"canAdd": True, "canEdit": True, "canDelete": True},
                "organization": rights,
            },
        }


def _folder_url(folder: Folder) -> str:
    return f"/dashboards/f/{folder.uid}/{slug(folder.title)}"


def _folder_hit(folder: Folder, number: int) -> dict[str, object]:
    return {
        "id": number,
        "uid": folder.uid,
        "title": folder.title,
        "uri": f"db/{slug(folder.title)}",
        "url": _folder_url(folder),
        "slug": "",
        "type": "dash-folder",
        "tags": [],
        "isStarred": False,
        "sortMeta": 0,
        "isDeleted": False,
    }


def _hit(board: Dashboard, number: int, numbers: Mapping[str, int]) -> dict[str, object]:
    hit: dict[str, object] = {
        "id": number,
        "uid": board.uid,
        "orgId": 1,
        "title": board.title,
        "uri": f"db/{board.slug}",
        "url": board.url,
        "slug": "",
        "type": "dash-db",
        "tags": list(board.tags),
        "isStarred": False,
        "sortMeta": 0,
        "isDeleted": False,
    }
    if board.folder:
        hit["folderId"] = numbers.get(board.folder.uid, 0)
        hit |= {
            "folderUid": board.folder.uid,
            "folderTitle": board.folder.title,
            "folderUrl": _folder_url(board.folder),
        }
    return hit
