"""The addresses of the shop."""

from django.contrib import admin
from django.urls import path

from shop import views

urlpatterns = [
    path("order/<str:name>/", views.order),
    path("order_async/<str:name>/", views.order_async),
    path("admin/", admin.site.urls),
]
